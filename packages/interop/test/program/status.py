"""Usage: status.py CONFIG - prints the state of queues and consumers."""

import sys

import pgq

pgq.PGQStatus(sys.argv[1:])
