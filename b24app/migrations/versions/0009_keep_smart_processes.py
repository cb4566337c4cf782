"""Keep titles of smart processes"""

import sqlalchemy as sa
from alembic import op


revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    op.create_table('smart_processes',
    sa.Column('portal_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('entity_type_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('title', sa.String(255), nullable=False),
    sa.PrimaryKeyConstraint('portal_id', 'entity_type_id')
    )


def downgrade() -> None:
    op.drop_table('smart_processes')
