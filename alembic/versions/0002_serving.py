"""Serving: revisions, traffic and variants of models; versions that were not trained here."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OF_A_TRAINED_VERSION = ("architecture", "dataset_name", "dataset_digest")


def upgrade() -> None:
    with op.batch_alter_table("models") as models:
        models.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
        models.add_column(sa.Column("served", sa.Boolean(), nullable=False, server_default=sa.true()))
        models.add_column(sa.Column("traffic", sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table("model_versions") as versions:
        versions.add_column(sa.Column("default_variant", sa.String(), nullable=True))
        for name in OF_A_TRAINED_VERSION:
            versions.alter_column(name, existing_type=sa.String(), nullable=True)
    op.create_table(
        "model_variants",
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("onnx_sha256", sa.String(), nullable=False),
        sa.Column("onnx_size", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_model_variants_job_id")),
        sa.ForeignKeyConstraint(
            ["model_id", "number"],
            ["model_versions.model_id", "model_versions.number"],
            name=op.f("fk_model_variants_model_id_number"),
        ),
        sa.PrimaryKeyConstraint("model_id", "number", "name", name=op.f("pk_model_variants")),
    )
    with op.batch_alter_table("model_variants") as variants:
        variants.create_index(variants.f("ix_model_variants_onnx_sha256"), ["onnx_sha256"], unique=False)


def downgrade() -> None:
    op.drop_table("model_variants")
    # What was not trained here cannot be said in the older tables.
    op.execute("DELETE FROM model_versions WHERE architecture IS NULL")
    with op.batch_alter_table("model_versions") as versions:
        versions.drop_column("default_variant")
        for name in OF_A_TRAINED_VERSION:
            versions.alter_column(name, existing_type=sa.String(), nullable=False)
    with op.batch_alter_table("models") as models:
        for name in ("revision", "served", "traffic"):
            models.drop_column(name)
