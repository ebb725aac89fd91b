"""What is kept: conversations, responses and the usage ledger, in SQLite or PostgreSQL.

`database.Database` runs jobs; `conversations`, `responses` and `usage` hold the queries: functions of a `Connection`.
"""
