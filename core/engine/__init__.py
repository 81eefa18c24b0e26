"""The choice of device, dtype and threads, processes of one run, and private names of torch."""
