-- What is stored under these operation ids ($1): what was asked, and why it was refused if it was.
select id, lines, refusal from operation where id = any($1::uuid[])
