"""The families of the command line: each asks the services over HTTP and shows the answer."""
