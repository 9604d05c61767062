"""What crosses a boundary: messages, topics and their keys. All that the services share about the business."""
