-- Whether a path lies in a folder that Jekyll and Hexo keep drafts in.
create or replace macro is_draft_path(path) as contains('/' || lower(path), '/_drafts/')
