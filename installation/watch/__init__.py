"""The house without anybody in it: its hours, and a show that is started again when it ends."""
