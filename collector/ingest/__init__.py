"""POST /v1/ingest/{connection}: native messages, proved, kept and answered; what they say is read afterwards."""
