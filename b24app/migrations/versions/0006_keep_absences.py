"""Keep who is away"""

import sqlalchemy as sa
from alembic import op


revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table('absences',
    sa.Column('portal_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('user_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('from_day', sa.Date(), nullable=False),
    sa.Column('to_day', sa.Date(), nullable=False),
    sa.PrimaryKeyConstraint('portal_id', 'user_id', 'from_day')
    )


def downgrade() -> None:
    op.drop_table('absences')
