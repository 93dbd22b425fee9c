"""A whole shop in one process: tills, cards, networks, disks, clocks, printers and a bank.

Everything happens on one thread in virtual time, and from one seed: the same
seed makes the same history, event for event. Like the assembly it sees every
package; what it drives are the till's own core, journal, kernels and link.
"""
