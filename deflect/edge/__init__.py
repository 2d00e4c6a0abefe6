"""The edge: what people and other systems touch; built on the loop and the line."""
