"""Keep when items with a money budget were made"""

import sqlalchemy as sa
from alembic import op


revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.execute('DELETE FROM budget_items')  # they are read again
    with op.batch_alter_table('budget_items', schema=None) as batch_op:
        batch_op.add_column(sa.Column('created_at', sa.BigInteger(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('budget_items', schema=None) as batch_op:
        batch_op.drop_column('created_at')
