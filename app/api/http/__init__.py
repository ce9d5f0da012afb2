"""What a client may do below the level of requests: connections, headers, time to send and to read."""
