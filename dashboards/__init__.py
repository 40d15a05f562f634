"""The screens: Streamlit pages that speak HTTP to the tower and import nothing else of it."""
