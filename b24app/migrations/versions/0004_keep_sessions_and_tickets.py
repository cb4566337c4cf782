"""Keep chats and tickets; derive support cases from them

Cases are not carried over: they are derived anew from what they were made of.
"""

import sqlalchemy as sa
from alembic import op


revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.drop_table('cases')
    _create_cases(
        sa.Column('source', sa.String(length=16), nullable=False),
        sa.Column('entity_type_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('is_read', sa.Boolean(), nullable=False),
        sa.Column('follow_up_until', sa.BigInteger(), nullable=True),
    )
    op.create_table('sessions',
    sa.Column('portal_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('activity_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=True),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.Column('seen_closed_at', sa.BigInteger(), nullable=True),
    sa.Column('was_reopened', sa.Boolean(), nullable=False),
    sa.Column('replied_at', sa.BigInteger(), nullable=True),
    sa.Column('is_positive', sa.Boolean(), nullable=True),
    sa.Column('read_at', sa.BigInteger(), nullable=True),
    sa.Column('read_again_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('portal_id', 'activity_id')
    )
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.create_index('ix_sessions_read', ['portal_id', 'read_again_at'], unique=False)
        batch_op.create_index('ix_sessions_session', ['portal_id', 'session_id'], unique=False)

    op.create_table('tickets',
    sa.Column('portal_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('entity_type_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('item_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('category_id', sa.Integer(), nullable=False),
    sa.Column('stage_id', sa.String(length=64), nullable=False),
    sa.Column('semantics', sa.String(length=1), nullable=False),
    sa.Column('owner_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('moved_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.Column('client', sa.String(length=32), nullable=True),
    sa.Column('is_positive', sa.Boolean(), nullable=True),
    sa.Column('is_taken', sa.Boolean(), nullable=False),
    sa.Column('seen_closed_at', sa.BigInteger(), nullable=True),
    sa.Column('was_reopened', sa.Boolean(), nullable=False),
    sa.Column('replied_at', sa.BigInteger(), nullable=True),
    sa.Column('is_read', sa.Boolean(), nullable=False),
    sa.Column('is_waiting', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('portal_id', 'entity_type_id', 'item_id')
    )
    with op.batch_alter_table('tickets', schema=None) as batch_op:
        batch_op.create_index(
            'ix_tickets_waiting', ['portal_id', 'entity_type_id', 'is_waiting'], unique=False
        )

    with op.batch_alter_table('calls', schema=None) as batch_op:
        batch_op.create_index('ix_calls_client', ['portal_id', 'client'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('calls', schema=None) as batch_op:
        batch_op.drop_index('ix_calls_client')
    op.drop_table('tickets')
    op.drop_table('sessions')
    op.drop_table('cases')
    _create_cases(
        sa.Column('source', sa.String(length=40), nullable=False),
        sa.Column('activity_id', sa.BigInteger(), nullable=True),
        sa.Column('detailed_at', sa.BigInteger(), nullable=True),
    )


def _create_cases(*own: sa.Column) -> None:
    """The table with what both forms of it have, and the columns of one of them."""
    columns = [
        sa.Column('portal_id', sa.Integer(), autoincrement=False, nullable=False),
        *own,
        sa.Column('case_id', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('owner_id', sa.Integer(), nullable=False),
        sa.Column('opened_at', sa.BigInteger(), nullable=False),
        sa.Column('opened_day', sa.Date(), nullable=False),
        sa.Column('replied_at', sa.BigInteger(), nullable=True),
        sa.Column('closed_at', sa.BigInteger(), nullable=True),
        sa.Column('closed_day', sa.Date(), nullable=True),
        sa.Column('client', sa.String(length=32), nullable=True),
        sa.Column('is_positive', sa.Boolean(), nullable=True),
        sa.Column('was_reopened', sa.Boolean(), nullable=False),
        sa.Column('reply_s', sa.BigInteger(), nullable=True),
        sa.Column('resolution_s', sa.BigInteger(), nullable=True),
    ]
    names = {column.name for column in own}
    key = [name for name in ('portal_id', 'source', 'entity_type_id', 'case_id')
           if name in names or name in ('portal_id', 'case_id')]
    op.create_table('cases', *columns, sa.PrimaryKeyConstraint(*key))
    with op.batch_alter_table('cases', schema=None) as batch_op:
        batch_op.create_index('ix_cases_opened', ['portal_id', 'opened_day'], unique=False)
        batch_op.create_index('ix_cases_closed', ['portal_id', 'closed_day'], unique=False)
        batch_op.create_index('ix_cases_client', ['portal_id', 'client', 'opened_at'], unique=False)
