"""Looking into a trained network: where its answers come from, what its layers see, what they would like to see."""
