"""The stack on one machine: real PostgreSQL and Kafka from packages, and the services beside them."""
