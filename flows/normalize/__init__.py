"""Documents in, one pandas frame per raw table out; nothing here touches a file or a database."""
