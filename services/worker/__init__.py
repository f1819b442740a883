"""The worker: claims jobs, supervises their training runs, settles what came of them."""
