"""The thin client at the entrance: touch, print, spool. It imports hub.wire and nothing else of ours, and no redis."""
