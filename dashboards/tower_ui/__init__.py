"""What the pages share: the API client, the pure models behind tables and charts, and the pieces of the screen."""
