"""The steps from one release's tables to the next; Alembic walks them inside one transaction of ours."""
