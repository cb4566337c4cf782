"""What a person sees of an emulated portal: its pages, the frames of applications in them, and their host."""
