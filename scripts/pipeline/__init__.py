"""From the vendored documents to the generated client: sources, overlays, bundle, generator."""
