"""The console, a Textual app. It shows what core computes and computes nothing itself."""
