"""What people look at: text, pages, pictures."""
