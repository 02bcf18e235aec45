"""What every service agrees on and runs on; knows no service."""
