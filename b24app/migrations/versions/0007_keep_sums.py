"""Keep sums beside the facts, and what they need derived"""

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006'


def kept(of: str, apart: list[sa.Column], sums: list[str]) -> None:
    keys = [sa.Column('portal_id', sa.Integer(), autoincrement=False, nullable=False),
            sa.Column('level', sa.String(8), nullable=False),
            sa.Column('owner_id', sa.Integer(), autoincrement=False, nullable=False),
            sa.Column('start', sa.Date(), nullable=False), *apart]
    op.create_table(f'sums_{of}', *keys, *(sa.Column(name, sa.BigInteger(), nullable=False) for name in sums),
                    sa.PrimaryKeyConstraint(*(column.name for column in keys)))


def upgrade() -> None:
    with op.batch_alter_table('portals', schema=None) as batch_op:
        batch_op.add_column(sa.Column('reference_version', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('sums_version', sa.Integer(), nullable=True))
    with op.batch_alter_table('deals', schema=None) as batch_op:
        batch_op.add_column(sa.Column('first_contact_at', sa.BigInteger(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('is_first', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.create_index('ix_deals_owner_created', ['portal_id', 'owner_id', 'created_day'])
    with op.batch_alter_table('stage_stays', schema=None) as batch_op:
        batch_op.add_column(sa.Column('owner_id', sa.Integer(), nullable=True))
        batch_op.create_index('ix_stays_owner', ['portal_id', 'entity_type_id', 'owner_id', 'left_day'])
    op.execute("""
        UPDATE deals SET first_contact_at = COALESCE(
            (SELECT leads.created_at FROM leads WHERE leads.portal_id = deals.portal_id
             AND leads.lead_id = deals.lead_id AND leads.created_at < deals.created_at), created_at)""")
    op.execute("""
        UPDATE deals SET is_first = (NOT EXISTS (
            SELECT 1 FROM deals AS earlier WHERE earlier.portal_id = deals.portal_id
            AND earlier.client = deals.client AND earlier.semantics = 'S' AND NOT earlier.is_recurring
            AND earlier.moved_at <= deals.moved_at
            AND (earlier.moved_at < deals.moved_at OR earlier.deal_id < deals.deal_id)))
        WHERE semantics = 'S' AND client IS NOT NULL AND NOT is_recurring""")
    op.execute("""
        UPDATE stage_stays SET owner_id = (
            SELECT deals.owner_id FROM deals WHERE deals.portal_id = stage_stays.portal_id
            AND deals.deal_id = stage_stays.item_id AND NOT deals.is_recurring)
        WHERE entity_type_id = 2""")
    with op.batch_alter_table('deals', schema=None) as batch_op:
        batch_op.alter_column('first_contact_at', server_default=None)
        batch_op.alter_column('is_first', server_default=None)
    first = sa.column('is_first', sa.Boolean())
    op.create_index('ix_deals_first', 'deals', ['portal_id', 'client'], sqlite_where=first, postgresql_where=first)
    kept('won_lost', [category(), currency()], [
        'deals_won', 'won_amount_high', 'won_amount_low', 'deals_lost', 'processed', 'processing_seconds',
        'processed_backwards', 'client_won', 'client_unknown', 'repeat_won', 'new_customers'])
    kept('cohort', [category(), stage('stage_id'), stage('reached_stage_id')],
         ['cohort_deals', 'cohort_won', 'cohort_open'])
    kept('open', [category(), currency()], ['open_deals', 'open_amount_high', 'open_amount_low'])
    kept('stays', [category(), stage('stage_id')], ['stays', 'stay_seconds', 'stays_backwards'])
    kept('leads', [], ['leads_created', 'leads_converted'])


def category() -> sa.Column:
    return sa.Column('category_id', sa.Integer(), autoincrement=False, nullable=False)


def stage(name: str) -> sa.Column:
    return sa.Column(name, sa.String(64), nullable=False)


def currency() -> sa.Column:
    return sa.Column('currency', sa.String(8), nullable=False)


def downgrade() -> None:
    for of in ('leads', 'stays', 'open', 'cohort', 'won_lost'):
        op.drop_table(f'sums_{of}')
    op.drop_index('ix_deals_first', table_name='deals')
    with op.batch_alter_table('stage_stays', schema=None) as batch_op:
        batch_op.drop_index('ix_stays_owner')
        batch_op.drop_column('owner_id')
    with op.batch_alter_table('deals', schema=None) as batch_op:
        batch_op.drop_index('ix_deals_owner_created')
        batch_op.drop_column('is_first')
        batch_op.drop_column('first_contact_at')
    with op.batch_alter_table('portals', schema=None) as batch_op:
        batch_op.drop_column('sums_version')
        batch_op.drop_column('reference_version')
