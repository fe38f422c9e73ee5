"""What is told of a run: to those who asked to hear of it, and to an orchestrator's pages."""
