"""What comes in from the room: OSC, MIDI, keyboard. Each only posts to the bus."""
