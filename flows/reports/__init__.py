"""What people see of a warehouse: queries, exports, pages, messages."""
