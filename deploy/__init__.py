"""How Jiexu is set up and run: region policy, migrations, topics, images, the embedded stack."""
