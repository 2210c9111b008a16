"""Login in one or two steps, logout, and the pages for users."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import segno
from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from passlight.core.kernel.problem import ProblemError
from passlight.office.accounts import actions, throttle
from passlight.office.accounts.forms import (
    AddUserForm,
    LockForm,
    LoginForm,
    PostForm,
    SecondFactorForm,
    UserFilter,
)
from passlight.office.accounts.middleware import OPENED, SEEN
from passlight.office.accounts.models import Role, User
from passlight.office.accounts.roles import (
    allowed,
    gives,
    public,
    requires,
    signed_in_user,
    visible_units,
)
from passlight.office.accounts.second_factor import (
    FACTORS,
    STEP_SECONDS,
    address,
    code_at,
    enrol,
    held,
    hold,
    new_secret,
)
from passlight.office.accounts.sessions import end_session
from passlight.office.pages.language import message
from passlight.runtime.clock import SystemClock, SystemEntropy

USERS_A_PAGE = 50
PENDING = "pending_user"
PENDING_SECONDS = 300
SETTING_UP = "setting_up"
CLOCK = SystemClock()


@public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """Take user name and password; go on to the second factor when the account has one."""
    if request.user.is_authenticated and request.method == "GET":
        return redirect(_next(request))
    form = LoginForm(request.POST or None)
    ended = request.session.pop("ended", None) if request.method == "GET" else None
    if request.method == "POST" and form.is_valid():
        username = form.cleaned_data["username"].strip().lower()
        user = _password_ok(request, form, username)
        if user is not None and user.second_factor:
            # Cycled before anything is remembered: a planted session id gains nothing.
            request.session.cycle_key()
            request.session[PENDING] = [user.pk, CLOCK.now().timestamp()]
            return redirect(f"/login/code/?next={_quoted_next(request)}")
        if user is not None:
            return _enter(request, user)
    return render(
        request,
        "accounts/login.html",
        {"form": form, "ended": ended, "next": _next(request)},
        status=200 if not form.errors else 422,
    )


@public
@require_http_methods(["GET", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Take the second factor of a login that has given the right password."""
    user = _pending(request)
    if user is None:
        return redirect("accounts:login")
    form = SecondFactorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        # By name alone: who is here knows the password, so nobody else can spend these tries.
        guess = throttle.Guess.CODE, user.username
        wait = throttle.wait(*guess, CLOCK)
        if wait is not None:
            form.add_error("code", _wait_message(wait))
        elif FACTORS[user.second_factor].check(user, form.cleaned_data["code"], CLOCK):
            return _enter(request, user)
        else:
            throttle.failed(*guess, CLOCK, address=_address(request))
            form.add_error("code", message("accounts.code_wrong"))
    return render(
        request,
        "accounts/second_step.html",
        {"form": form, "next": _next(request)},
        status=200 if not form.errors else 422,
    )


@require_http_methods(["GET", "POST"])
@requires("account.use")
def authenticator(request: HttpRequest) -> HttpResponse:
    """Set up an authenticator app; it is asked for once a right code has come from it."""
    user = signed_in_user(request)
    kept = request.session.get(SETTING_UP)
    secret = held(user, kept) if kept else new_secret(SystemEntropy())
    request.session[SETTING_UP] = hold(user, secret)
    form = SecondFactorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        step = int(CLOCK.now().timestamp()) // STEP_SECONDS
        good = {code_at(secret, step + drift) for drift in (-1, 0, 1)}
        if form.cleaned_data["code"].strip() in good:
            enrol(user, secret)
            del request.session[SETTING_UP]
            messages.success(request, message("accounts.code_set_up"))
            return redirect("pages:home")
        form.add_error("code", message("accounts.code_wrong"))
    text = base64.b32encode(secret).decode()
    context = {
        "form": form,
        "secret": " ".join(text[start : start + 4] for start in range(0, len(text), 4)),
        "picture": segno.make(address(user, secret)).svg_inline(scale=4, border=4, light="white"),
        "again": bool(user.second_factor),
    }
    return render(
        request, "accounts/authenticator.html", context, status=422 if form.errors else 200
    )


@public
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session, and every grant that was given in it."""
    end_session(request, clock=CLOCK)
    return redirect("accounts:login")


@require_safe
@requires("users.view")
def user_list(request: HttpRequest) -> HttpResponse:
    """Show the users of the actor's subtree."""
    users = _visible_users(request).select_related("unit").order_by("unit__path", "username")
    filters = UserFilter(request.GET or None)
    if filters.is_valid():
        if filters.cleaned_data["role"]:
            users = users.filter(role=filters.cleaned_data["role"])
        if filters.cleaned_data["state"]:
            users = users.filter(locked_at__isnull=filters.cleaned_data["state"] == "active")
    page = Paginator(users, USERS_A_PAGE).get_page(request.GET.get("page"))
    can_change = allowed(request.user, "users.change")
    return render(
        request,
        "accounts/user_list.html",
        {"page": page, "form": filters, "can_change": can_change},
    )


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@requires("users.change")
def user_add(request: HttpRequest) -> HttpResponse:
    """Add a user in the actor's subtree."""
    form = AddUserForm(request.POST or None, actor=signed_in_user(request))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        new = actions.NewUser(
            username=data["username"],
            password=data["password"],
            role=Role(data["role"]),
            unit=data["unit"],
            display_name=data["display_name"],
            display_name_en=data["display_name_en"],
            added_by=signed_in_user(request),
        )
        try:
            user = actions.add_user(new, clock=CLOCK, entropy=SystemEntropy())
        except ProblemError as error:
            form.add_error(error.problems[0].field, message(error.problems[0].code))
        else:
            messages.success(request, message("accounts.user_added", name=user.username))
            return redirect("accounts:user", pk=user.pk)
    return render(
        request,
        "accounts/user_add.html",
        {"form": form},
        status=200 if not form.errors else 422,
    )


@require_http_methods(["GET", "POST"])
@requires("users.view")
def user_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one user; change role and unit when the actor may."""
    actor = signed_in_user(request)
    user = get_object_or_404(_visible_users(request), pk=pk)
    can_change = allowed(actor, "users.change") and gives(actor, user.role) and user != actor
    initial = {"role": user.role, "unit": user.unit}
    form = PostForm(request.POST or None, actor=actor, initial=initial)
    if request.method == "POST" and can_change and form.is_valid():
        role, unit = Role(form.cleaned_data["role"]), form.cleaned_data["unit"]
        try:
            actions.change_user(user, role=role, unit=unit, clock=CLOCK)
        except ProblemError as error:
            form.add_error(error.problems[0].field, message(error.problems[0].code))
        else:
            messages.success(request, message("accounts.user_changed", name=user.username))
            return redirect("accounts:user", pk=user.pk)
    elif request.method == "POST" and not can_change:
        return redirect("accounts:user", pk=user.pk)
    registrations = user.registrations.order_by("-created_at")[:10]
    context = {
        "shown": user,
        "form": form,
        "lock_form": LockForm(),
        "can_change": can_change,
        "registrations": registrations,
    }
    return render(request, "accounts/user.html", context, status=200 if not form.errors else 422)


@require_POST
@requires("users.change")
def user_lock(request: HttpRequest, pk: int) -> HttpResponse:
    """Lock an account, never one's own."""
    user = get_object_or_404(_visible_users(request), pk=pk)
    form = LockForm(request.POST)
    if user != request.user and _may_lock(request, user) and form.is_valid():
        actions.lock_user(user, reason=form.cleaned_data["reason"], clock=CLOCK)
        messages.success(request, message("accounts.user_locked", name=user.username))
    return redirect("accounts:user", pk=user.pk)


@require_POST
@requires("users.change")
def user_unlock(request: HttpRequest, pk: int) -> HttpResponse:
    """Unlock an account."""
    user = get_object_or_404(_visible_users(request), pk=pk)
    if not _may_lock(request, user):
        return redirect("accounts:user", pk=user.pk)
    try:
        actions.unlock_user(user)
    except ProblemError as error:
        messages.error(request, message(error.problems[0].code))
    else:
        messages.success(request, message("accounts.user_unlocked", name=user.username))
    return redirect("accounts:user", pk=user.pk)


def _may_lock(request: HttpRequest, user: User) -> bool:
    return user.role == Role.RESIDENT or gives(signed_in_user(request), user.role)


def _visible_users(request: HttpRequest) -> QuerySet[User]:
    return User.objects.filter(unit__in=visible_units(signed_in_user(request)))


def _password_ok(request: HttpRequest, form: LoginForm, username: str) -> User | None:
    """Return the user whose password was right, else say on the form what to do."""
    address = _address(request)
    guess = throttle.Guess.PASSWORD, username
    wait = throttle.wait(*guess, CLOCK, address=address)
    if wait is not None:
        form.add_error(None, _wait_message(wait))
        return None
    user = authenticate(request, username=username, password=form.cleaned_data["password"])
    if not isinstance(user, User):
        throttle.failed(*guess, CLOCK, address=address)
        # The same words for an unknown name, a wrong password and a locked account.
        form.add_error("password", message("accounts.login_wrong"))
        return None
    return user


def _enter(request: HttpRequest, user: User) -> HttpResponse:
    throttle.succeeded(user.username)
    # Also ends what somebody else left open in this browser, with its grants.
    end_session(request, clock=CLOCK)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session[OPENED] = request.session[SEEN] = CLOCK.now().isoformat()
    return redirect(_next(request))


def _pending(request: HttpRequest) -> User | None:
    pk, since = request.session.get(PENDING, (None, 0.0))
    if pk is None or CLOCK.now() - datetime.fromtimestamp(since, UTC) > timedelta(
        seconds=PENDING_SECONDS
    ):
        return None
    return User.objects.filter(pk=pk, locked_at=None).exclude(second_factor="").first()


def _next(request: HttpRequest) -> str:
    """Return where to go after login: a path of ours, or home."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe and wanted.startswith("/") else "/"


def _quoted_next(request: HttpRequest) -> str:
    return quote(_next(request), safe="/")


def _address(request: HttpRequest) -> str:
    """Return the caller's address as our own front saw it: the last hop it added."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return forwarded.rpartition(",")[2].strip() or str(request.META.get("REMOTE_ADDR", ""))


def _wait_message(wait: timedelta) -> str:
    minutes = max(1, -(-int(wait.total_seconds()) // 60))
    return message("accounts.wait", minutes=minutes)
