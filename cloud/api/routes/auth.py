"""/auth: register, log in and out, renew a session, change one's password; tokens by form for scripts."""

from typing import Annotated

from fastapi import Cookie, Form, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from cloud.access.users import Newcomer
from cloud.api.credentials import ACCESS_COOKIE, CSRF_HEADER, REFRESH_COOKIE, drop_cookies, keep_cookies
from cloud.api.deps import AnyCaller, ServicesDep, Session
from cloud.api.document import NEEDS_NOBODY, answers
from cloud.api.errors import INVALID_IS_400
from cloud.api.limits import limited
from cloud.api.resource import Resource
from cloud.api.user_answers import USER, UserAnswer, show_user
from cloud.domain.role import Role, role_of
from cloud.domain.user import (
    MARK,
    MAX_EMAIL,
    MAX_NAME,
    MAX_PASSWORD,
    issue_of_email,
    issue_of_name,
    issue_of_password,
)
from cloud.errors import Invalid, Unauthorized

router = Resource(prefix="/auth", tags=["access"])
_TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"  # noqa: S105 - an example
_LOGGED_IN = {"access_token": _TOKEN, "user": USER}
_ME = {"logged_in_as": "testuser", "role": "user", "scopes": ["data:read"]}
_GRANTED = {"access_token": _TOKEN, "token_type": "bearer", "expires_in": 3600}
_NAME_OR_SO = 254
Typed = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PASSWORD)]


class RegisterBody(BaseModel):
    """Who wants to become a user; invite: the token of an invite, or of the set-up for the first administrator."""

    model_config = ConfigDict(extra="forbid")

    username: Annotated[str, Field(max_length=MAX_NAME)]
    email: Annotated[str, Field(max_length=MAX_EMAIL)]
    password: Annotated[str, Field(max_length=MAX_PASSWORD)]
    invite: Annotated[str, Field(max_length=200)] = ""

    @field_validator("username")
    @classmethod
    def _name(cls, value: str) -> str:
        return _good(value, issue_of_name(value))

    @field_validator("email")
    @classmethod
    def _email(cls, value: str) -> str:
        return _good(value, issue_of_email(value))

    @field_validator("password")
    @classmethod
    def _password(cls, value: str, info: ValidationInfo) -> str:
        typed = {name: str(info.data.get(name, "")) for name in ("username", "email")}
        return _good(value, issue_of_password(value, name=typed["username"], email=typed["email"]))


class LoginBody(BaseModel):
    """Name and password."""

    model_config = ConfigDict(extra="forbid")

    username: Annotated[str, Field(min_length=1, max_length=_NAME_OR_SO)]
    password: Typed


class PasswordBody(BaseModel):
    """The password as it is, and as it shall be."""

    model_config = ConfigDict(extra="forbid")

    current_password: Typed
    new_password: Typed


class Said(BaseModel):
    """What was done."""

    message: str


class LoggedIn(BaseModel):
    """An access token for programs; pages have theirs, and the one that renews it, in cookies that no script reads."""

    access_token: str
    user: UserAnswer


class Renewed(BaseModel):
    """A new access token."""

    access_token: str


class Me(BaseModel):
    """Who calls; role: the highest one whose scopes the caller holds, `none` where it holds none's."""

    logged_in_as: str
    role: str
    scopes: list[str]


class Granted(BaseModel):
    """A token for scripts; expires_in in seconds."""

    access_token: str
    token_type: str
    expires_in: int


@router.post(
    "/register",
    status_code=201,
    openapi_extra={INVALID_IS_400: True},
    dependencies=[limited("5/hour")],
    responses=answers({"message": "User registered successfully"}, 400, 403, 409, 422, 503, good=201),
)
async def register(body: RegisterBody, services: ServicesDep) -> Said:
    """Become a user; by the installation's settings it takes an invite, which also says the role."""
    newcomer = Newcomer(body.username, body.email, body.password, body.invite)
    await services.threads.run(lambda _: services.users.register(newcomer))
    return Said(message="User registered successfully")


@router.post(
    "/login",
    openapi_extra={INVALID_IS_400: True},
    dependencies=[limited("10/minute")],
    responses=answers(_LOGGED_IN, 400, 401, 422, 503),
)
async def login(body: LoginBody, request: Request, response: Response, services: ServicesDep) -> LoggedIn:
    """Log in: an access token in the answer, and both tokens in cookies."""
    where = _address(request)
    given = await services.threads.run(lambda _: services.sessions.log_in(body.username, body.password, address=where))
    keep_cookies(response, given, now_s=_now_s(services), is_secure=_is_secure(request, services))
    return LoggedIn(access_token=given.access, user=show_user(given.user))


@router.post(
    "/refresh",
    dependencies=[limited("5/minute")],
    responses=answers({"access_token": _TOKEN}, 401, 422, 503),
)
async def refresh(
    request: Request,
    response: Response,
    services: ServicesDep,
    token: Annotated[str | None, Cookie(alias=REFRESH_COOKIE, max_length=4096)] = None,
    csrf: Annotated[str, Header(alias=CSRF_HEADER, max_length=200)] = "",
) -> Renewed:
    """Exchange the refresh token in the cookie for a new access token and a new refresh token."""
    if not token:
        raise Unauthorized("there is no refresh token cookie: log in", code="MISSING_REFRESH_TOKEN")
    wanted = csrf if services.auth.refresh_csrf else None
    given = await services.threads.run(lambda _: services.sessions.refresh(token, csrf=wanted))
    keep_cookies(response, given, now_s=_now_s(services), is_secure=_is_secure(request, services))
    return Renewed(access_token=given.access)


@router.post("/logout", responses=answers({"message": "Logout successful"}, 503), openapi_extra=NEEDS_NOBODY)
async def logout(request: Request, response: Response, services: ServicesDep) -> Said:
    """End the session of the cookies or of the bearer token, and take the cookies back."""
    bearer = request.headers.get("authorization", "")
    shown = bearer[len("Bearer ") :] if bearer.lower().startswith("bearer ") else ""
    texts = [text[:4096] for text in (request.cookies.get(REFRESH_COOKIE), request.cookies.get(ACCESS_COOKIE)) if text]
    if shown or texts:
        await services.threads.run(lambda _: services.sessions.log_out(shown, *texts))
    drop_cookies(response, is_secure=_is_secure(request, services))
    return Said(message="Logout successful")


@router.get("/me", dependencies=[limited("120/minute")], responses=answers(_ME, 401, 503))
async def me(caller: AnyCaller) -> Me:
    """Say who calls, with which role and scopes."""
    role = caller.role or role_of(caller.scopes)
    return Me(
        logged_in_as=caller.name.removeprefix(MARK),
        role=role.value if role is not None else "none",
        scopes=sorted(Role.ADMIN.scopes if role is Role.ADMIN else caller.scopes),
    )


@router.post("/token", dependencies=[limited("10/minute")], responses=answers(_GRANTED, 401, 422, 503))
async def token(
    request: Request,
    services: ServicesDep,
    username: Annotated[str, Form(min_length=1, max_length=_NAME_OR_SO)],
    password: Annotated[str, Form(min_length=1, max_length=MAX_PASSWORD)],
    grant_type: Annotated[str, Form(pattern="^(password)?$")] = "",
) -> Granted:
    """Get a bearer token for an hour, by form as OAuth 2 has it; for scripts."""
    _ = grant_type
    where = _address(request)
    given = await services.threads.run(
        lambda _: services.sessions.log_in(username, password, address=where, is_renewable=False)
    )
    left_s = given.access_ends_at.timestamp() - _now_s(services)
    return Granted(access_token=given.access, token_type="bearer", expires_in=round(left_s))  # noqa: S106 - OAuth's word


@router.post(
    "/password",
    openapi_extra={INVALID_IS_400: True},
    dependencies=[limited("5/minute")],
    responses=answers({"message": "Password changed: log in again"}, 400, 401, 403, 422, 503),
)
async def change_password(
    body: PasswordBody, request: Request, caller: Session, services: ServicesDep, response: Response
) -> Said:
    """Change one's own password, which ends all sessions of the user."""
    where = _address(request)

    def change(_: object) -> None:
        user = services.users.get(caller.user_id or 0)
        issue = issue_of_password(body.new_password, name=user.name, email=user.email)
        if issue:
            details: dict[str, object] = {"field": "new_password", "issue": issue}
            raise Invalid(f"new_password: {issue}", code="INVALID_PARAMETERS", details=details)
        services.sessions.authenticate(user.name, body.current_password, address=where)
        services.users.set_password(user.id, body.new_password, by=caller.name)

    await services.threads.run(change)
    drop_cookies(response, is_secure=_is_secure(request, services))
    return Said(message="Password changed: log in again")


def _good(value: str, issue: str) -> str:
    if issue:
        raise ValueError(issue)
    return value


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _now_s(services: ServicesDep) -> float:
    return services.clock.now_us() / 1e6


def _is_secure(request: Request, services: ServicesDep) -> bool:
    wanted = services.auth.secure_cookies
    return request.url.scheme == "https" if wanted is None else wanted
