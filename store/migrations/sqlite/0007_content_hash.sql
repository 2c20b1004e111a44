-- Of the text that a message was committed with: the same msg_id with another text is no repeat. NULL for rows of an older
-- version, and for entries that are no messages.
ALTER TABLE entries ADD COLUMN content_hash INTEGER;
