"""The same desk four times: the pure rules, fakeredis, Valkey and the oldest Redis. One story is told to all."""
