"""What do strangers find who ask whatever the schema admits? Thousands of generated operations, over HTTP."""
