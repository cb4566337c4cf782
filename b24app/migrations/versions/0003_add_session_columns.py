"""Keep when CRM activities began, their sessions, and find the open ones"""

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    with op.batch_alter_table('activities', schema=None) as batch_op:
        batch_op.add_column(sa.Column('started_at', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('session_id', sa.BigInteger(), nullable=True))
        batch_op.create_index('ix_activities_open', ['portal_id', 'is_completed', 'deadline_at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('activities', schema=None) as batch_op:
        batch_op.drop_index('ix_activities_open')
        batch_op.drop_column('session_id')
        batch_op.drop_column('started_at')
