"""What people must decide: work items, proposals, and the second person who approves."""
