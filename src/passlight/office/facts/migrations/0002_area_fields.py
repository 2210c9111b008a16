"""One index for each field in which a person's fact may name an area.

One index over whichever of the two is there first did not find a fact that has both.
"""

from django.db import migrations

ONE_FOR_BOTH = """
create index facts_fact_area on facts_fact
    ((coalesce(payload ->> 'from_area', payload ->> 'area')) text_pattern_ops)
    where subject not like 'area:%' and coalesce(payload ->> 'from_area', payload ->> 'area') is not null
"""
ONE_EACH = """
create index facts_fact_names_from_area on facts_fact ((payload ->> 'from_area') text_pattern_ops)
    where subject not like 'area:%' and payload ->> 'from_area' is not null;
create index facts_fact_names_area on facts_fact ((payload ->> 'area') text_pattern_ops)
    where subject not like 'area:%' and payload ->> 'area' is not null
"""


class Migration(migrations.Migration):
    dependencies = [("facts", "0001_initial")]

    operations = [
        migrations.RunSQL(
            ONE_EACH, "drop index facts_fact_names_from_area; drop index facts_fact_names_area"
        ),
        migrations.RunSQL("drop index facts_fact_area", ONE_FOR_BOTH),
    ]
