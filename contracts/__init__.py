"""What crosses a boundary: messages, topics and their keys. The only thing that the services share about the business."""
