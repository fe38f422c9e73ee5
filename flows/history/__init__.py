"""What articles were like before: the changes of commits and runs in, versions of articles out.

A run is one more commit. What each of them did to a path, and what the files said before and after,
goes into two temporary tables (`changes`); one comparison finds renames and what differs, and
writes the versions (`record`), each with the article that it is one of (`identities`).
"""
