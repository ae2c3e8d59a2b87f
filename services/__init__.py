"""Use-cases, database, artifact store, queue and serving engine. No torch and no web framework in here."""
