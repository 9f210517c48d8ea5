"""What will probably happen at the counters. Pure: chance comes in by the door, time is seconds of the office day."""
