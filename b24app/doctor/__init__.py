"""Tells an operator what is wrong and what to do: `look` reads, `rules` judge, `report` puts it in lines."""
