"""Card and code rules. Bytes in, bytes out; nothing here opens, sleeps or logs."""
