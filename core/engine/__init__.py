"""What computes and how: device, number format, processes, threads and memory."""
