"""`python -m b24app`."""

from __future__ import annotations

import sys

from b24app.cli import main

sys.exit(main())
