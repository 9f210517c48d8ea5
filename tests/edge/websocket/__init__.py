"""How our own engine speaks RFC 6455."""
