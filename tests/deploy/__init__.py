"""The image, the chart, the compose file and the lists that go with them."""
