# SPDX-License-Identifier: GPL-2.0
"""What make demo shows, and the programs it shows it with."""
