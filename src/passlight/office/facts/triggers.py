"""Triggers that keep a table append-only, whatever a grant may allow by mistake."""

# Only the table's owner passes: erasing by law and the emptying of test databases are its acts.
REFUSE_CHANGE = """
create or replace function passlight_refuse_change() returns trigger language plpgsql as $$
begin
    if pg_has_role(current_user,
                   (select relowner from pg_class where oid = tg_relid), 'member') then
        return coalesce(new, old);
    end if;
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op)
        using errcode = 'insufficient_privilege';
end $$
"""


def append_only(table: str) -> str:
    """Return the SQL that makes ``table`` refuse UPDATE, DELETE and TRUNCATE."""
    return f"""
create trigger append_only before update or delete on {table}
    for each row execute function passlight_refuse_change();
create trigger append_only_truncate before truncate on {table}
    for each statement execute function passlight_refuse_change()
"""
