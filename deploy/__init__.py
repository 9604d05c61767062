"""How the parts are put on machines: one machine (`deploy.local`), an image, a chart."""
